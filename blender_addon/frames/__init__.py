# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that follow the curves: rendering, cache, plane, watching for edits."""
