package bridge

import (
	"slices"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

func (g *Gateway) addAccount(row tables.Login) *account {
	a := &account{
		g: g, id: row.ID, owner: row.Owner, user: row.User, row: row, since: g.now(),
		calls: rate.NewLimiter(rate.Limit(g.set.Calls), max(1, int(10*g.set.Calls))),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[a.id] = a
	g.owners[a.owner] = append(slices.Clone(g.owners[a.owner]), a)
	g.users[a.user] = a
	return a
}

// forgetAccount takes an account that was unlinked out of the gateway.
func (g *Gateway) forgetAccount(a *account) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.accounts, a.id)
	rest := g.owners[a.owner][:0:0]
	for _, o := range g.owners[a.owner] {
		if o != a {
			rest = append(rest, o)
		}
	}
	if g.owners[a.owner] = rest; len(rest) == 0 {
		delete(g.owners, a.owner)
	}
	if g.users[a.user] != a {
		return
	}
	delete(g.users, a.user)
	for _, other := range g.accounts { // perhaps another local user has linked the same
		if other.user == a.user {
			g.users[a.user] = other
		}
	}
}

func (g *Gateway) account(id transports.LoginID) *account {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accounts[id]
}

// accountsOf are a user's accounts, the oldest first.
func (g *Gateway) accountsOf(who jid.JID) []*account {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owners[who.Bare()]
}

func (g *Gateway) allAccounts() []*account {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]*account, 0, len(g.accounts))
	for _, a := range g.accounts {
		list = append(list, a)
	}
	return list
}

// accountOfUser finds the local account that a person of the network is.
func (g *Gateway) accountOfUser(user transports.UserID) *account {
	if user == "" {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.users[user]
}
