package main

import "github.com/dragoman-im/dragoman/core/admin"

const rightsHead = `# Administrators and operators

A role is given to the address of an account, the whole of it: ` + "`server.admins`" + ` and ` + "`accounts.operators`" + ` name addresses, also of other
servers, and ` + "`dragoman account grant`" + `, or an administrator's command, gives a role to an account of this server at run time. Such a
role ends with the account. The table, which ` + "`go run ./cmd/docs`" + ` generates from role.go, has what each role may do; everybody else may
do none of it.

`

const rightsFoot = `
An account that is disabled or locked stays what it is: its contacts, its archive and its name. Nobody can log in to it, and its sessions
are ended. To others it is an account without sessions: messages to it are archived and wait for it, subscription requests wait for an
answer. Gateways that it has linked stay linked. The name of a deleted account cannot be registered again for ` + "`accounts.deleted_names`" + `.
`

// rights returns the page about roles with the table of their rights.
func rights() string { return rightsHead + admin.Table() + rightsFoot }
