# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""The cases of script/bench: a module each, in the order of run.py."""
