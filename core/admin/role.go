package admin

import (
	"fmt"
	"strings"
)

// Role is what an address is to the server.
type Role uint8

// The roles, each with the rights of those before it.
const (
	User     Role = iota // everybody else, whether or not there is an account
	Operator             // looks after the accounts of users
	Admin                // may do everything
)

var roleNames = [...]string{"user", "operator", "admin"}

// String returns the name of a role as the configuration and the command line have it.
func (r Role) String() string { return roleNames[r] }

// ParseRole is the reverse of String.
func ParseRole(name string) (Role, error) {
	for i, known := range roleNames {
		if known == name {
			return Role(i), nil
		}
	}
	return User, fmt.Errorf("%q is not user, operator or admin", name)
}

// Right is something that not everybody may do.
type Right uint8

// The rights.
const (
	SeeAccounts    Right = iota // numbers and lists of accounts, their last activity, state and sessions
	CreateAccounts              // create accounts, and invite new ones
	ManageAccounts              // change passwords, disable, enable and lock accounts, set how long their messages are kept, end sessions; those of lower roles only
	Announce                    // announcements, the message of the day, the welcome message
	EditLists                   // addresses with which nobody may communicate, or only with which
	ManageRooms                 // list, change and destroy rooms; create as many as wanted
	DeleteAccounts              // with all that belongs to them
	SeeRosters                  // contact lists of others
	GrantRoles                  // make operators and administrators
	ControlServer               // restart and stop; connections with other servers
	rights         int   = iota
)

// table has what each role may do, in the order of the constants.
var table = [rights]struct {
	least Role   // the lowest role that may
	text  string // for README.md
}{
	SeeAccounts:    {Operator, "see numbers and lists of accounts, their state, sessions and last activity"},
	CreateAccounts: {Operator, "create accounts and invitations to new ones; names that the configuration reserves: administrators only"},
	ManageAccounts: {Operator, "change passwords, disable, enable and lock accounts, set how long their messages are kept, end sessions; operators: of users only"},
	Announce:       {Operator, "send announcements, set the message of the day and the welcome message"},
	EditLists:      {Operator, "edit the lists of addresses that are blocked or allowed on the whole server"},
	ManageRooms:    {Operator, "list, change and destroy rooms, and create any number of them"},
	DeleteAccounts: {Admin, "delete accounts"},
	SeeRosters:     {Admin, "see the contacts of an account"},
	GrantRoles:     {Admin, "make operators and administrators"},
	ControlServer:  {Admin, "restart and stop the server; see and close its connections with other servers"},
}

// Table returns the rights of each role as the table of README.md.
func Table() string {
	var b strings.Builder
	b.WriteString("| right | operator | administrator |\n| --- | --- | --- |\n")
	for _, r := range table {
		operator := "yes"
		if r.least > Operator {
			operator = "no"
		}
		b.WriteString("| " + r.text + " | " + operator + " | yes |\n")
	}
	return b.String()
}

// May reports whether a role has a right.
func (r Role) May(right Right) bool { return r >= table[right].least }

// MayManage reports whether a role may change accounts that have another role: administrators all of them, others those below their own.
func (r Role) MayManage(other Role) bool { return r == Admin || r > other }
