"""The rig family: a drawing is understood once, as complete layers with depth; geometry moves them in every frame."""
