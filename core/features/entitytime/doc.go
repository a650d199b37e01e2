// Package entitytime answers requests for the host's time (XEP-0202). It has no goroutine and no lock.
package entitytime
