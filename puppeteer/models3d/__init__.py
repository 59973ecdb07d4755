"""3D models of MikuMikuDance and VRM: readers, annotation, and pictures of them as the networks' data needs them."""
