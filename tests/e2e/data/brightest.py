#!/usr/bin/env python3
# Makes brightest.pt, the model of own_model.sh: the class of an image is its brightest channel. Needs PyTorch (the file
# was made with 2.13; LibTorch 1.13 reads it). Usage: brightest.py FILE.pt
# SPDX-License-Identifier: MIT
import sys

import torch


class Brightest(torch.nn.Module):
    def forward(self, x):
        return x.mean([2, 3])


torch.jit.script(Brightest().eval()).save(sys.argv[1])
