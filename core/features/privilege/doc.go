// Package privilege lets configured components and gateways act on behalf of a host's accounts
// (XEP-0356): read and change their rosters (features/roster calls RosterAccess), and send messages
// from their addresses, which are then treated as sent by the account (router.Pass.SendAs). A carbon copy
// that they make in an account's name says that it has sent the message elsewhere (NoteSent). Only the
// configuration grants privileges. It has no goroutine.
//
// Specification: XEP-0356.
package privilege
