// Package command implements ad-hoc commands (XEP-0050). A Command consists of steps with data forms and
// is independent of XML: an Engine runs it by IQs, a Chat as a text dialogue, and other code may run
// it directly, such as in-band registration.
// An Engine and a Chat are safe for concurrent use. The Engine's lock is never held while a step runs; a
// Chat's is, so that its answers are processed one at a time. There is no goroutine: each request also
// drops the sessions that have timed out.
//
// Specifications: XEP-0050, XEP-0004, XEP-0030.
package command
