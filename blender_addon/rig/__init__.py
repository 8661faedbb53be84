# SPDX-License-Identifier: GPL-3.0-or-later
"""The head: armature, mesh, skin, voice; and its performance on other rigs."""
