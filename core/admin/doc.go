// Package admin holds what administrators and operators of a server can do, as plain functions that ad-hoc commands, the command
// line and others call, and who may do it. README.md lists the rights of each role.
//
// A role belongs to a bare address as a whole, local part and domain (CVE-2020-8086), and is given by the configuration or at run
// time. The latter is stored with the account and ends with it (CVE-2024-25420).
//
// Rights has the roles of the database in memory; whoever runs the server calls Reload about once a second, as other processes
// change them too. There is no goroutine and no lock.
package admin
