/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "whittle/base.h"
