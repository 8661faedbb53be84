# SPDX-License-Identifier: GPL-3.0-or-later
"""What an animator sees: panel, properties, operators."""
