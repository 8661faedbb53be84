# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of a rig as actions: their keys, tracks, layers of edits, and what they evaluate to."""
