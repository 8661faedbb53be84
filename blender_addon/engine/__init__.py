# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's one process, and the jobs that ask it."""
