// Package version tells which program serves the host (XEP-0092, XEP-0232). The operating system is
// nobody's business. It has no goroutine and no lock.
package version
