// Package admincommands offers what package admin does as ad-hoc commands of the host (XEP-0133), and enforces its lists and texts:
// nobody communicates with a blocked address, and who comes online gets the message of the day.
// Who lacks the right for a command does not find it in the list of commands.
//
// There is no lock and no goroutine.
//
// Specifications: XEP-0133, XEP-0050, XEP-0004.
package admincommands
