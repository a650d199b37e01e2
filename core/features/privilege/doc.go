// Package privilege lets configured components and gateways act on behalf of a host's accounts
// (XEP-0356): read and change their rosters (features/roster calls RosterAccess), and send messages
// from their addresses. Only the configuration grants privileges. It has no goroutine.
//
// Specification: XEP-0356.
package privilege
