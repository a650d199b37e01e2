package accounts

import (
	"net/url"
	"slices"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
)

// Reserved returns the addresses of the served hosts that no stranger may register: those to which the configuration gives
// a right or a role, whether or not there is an account, and server.reserved on each host. The command line may create them.
func Reserved(c config.Config) map[jid.JID]bool {
	reserved := map[jid.JID]bool{}
	add := func(address string) {
		if j, err := jid.Parse(address); err == nil && slices.Contains(c.Server.Hosts, j.Domain()) {
			reserved[j.Bare()] = true
		}
	}
	for _, list := range [][]string{c.Server.Admins, c.Accounts.Operators, c.Gateway.Users, c.Foreign.Users} {
		for _, address := range list {
			add(address)
		}
	}
	for _, g := range c.Groups { // whoever is a member sees the others' presence
		for _, address := range g.Members {
			add(address)
		}
	}
	for _, contact := range c.Server.Contacts { // whoever writes there expects the operator
		if u, err := url.Parse(contact); err == nil && (u.Scheme == "xmpp" || u.Scheme == "mailto") {
			if address, err := url.PathUnescape(u.Opaque); err == nil {
				add(address)
			}
		}
	}
	for _, host := range c.Server.Hosts {
		for _, name := range c.Server.Reserved {
			if j, err := jid.New(name, host, ""); err == nil {
				reserved[j] = true
			}
		}
	}
	return reserved
}
