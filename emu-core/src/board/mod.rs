//! Where everything is: the `virt` board, its device tree, and loading images into it.
