// Package command is ad-hoc commands (XEP-0050). A Command is steps of data forms and
// knows no XML, so that the same command can be run in three ways: by an Engine as IQs,
// by a Chat as a dialogue in text that asks one field after another, and by whoever else
// shows a form and takes an answer, such as a web portal.
//
// An Engine and a Chat may be used by any number of goroutines. The Engine's lock is never
// held while a step runs; a session whose step is running refuses a second request. No
// goroutine is started here: sessions that have timed out are dropped when a request comes
// for something.
//
// Specifications: XEP-0050, XEP-0004, XEP-0030.
package command
