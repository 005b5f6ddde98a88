// Precompiled header of every target that works on tensors. Narrow ATen headers only: torch/torch.h
// costs 30 s a file.
#pragma once
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/autograd/variable.h>
