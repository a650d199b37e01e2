// Package version answers which program serves the host (XEP-0092, XEP-0232), but not on which
// operating system. It has no goroutine and no lock.
package version
