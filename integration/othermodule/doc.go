// Package othermodule tests that a program of another module can run the gateways with networks of its own:
// testdata/hello is such a module.
package othermodule
