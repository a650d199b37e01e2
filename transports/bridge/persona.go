package bridge

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// maxNicks bounds how many users' names are remembered.
const maxNicks = 50000

// nicks are the names that users asked for when they came into a room last: those under which
// an account that speaks for others speaks for them.
type nicks struct {
	mu sync.Mutex
	by map[jid.JID]string
}

func (n *nicks) put(who jid.JID, nick string) {
	if nick == "" || len(nick) > maxID {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil || len(n.by) >= maxNicks {
		n.by = map[jid.JID]string{}
	}
	n.by[who.Bare()] = nick
}

// of is a user's name: the one asked for, else what stands before the @.
func (n *nicks) of(who jid.JID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if nick := n.by[who.Bare()]; nick != "" {
		return nick
	}
	return jid.Unescape(who.Local())
}

// persona is under whose name a message goes out, where the account can speak for others in that room.
func (c *call) persona(ctx context.Context) *transports.Author {
	if !c.g.info.Caps.Relay || c.room.Kind == transports.Direct {
		return nil
	}
	r, ok := c.session.(transports.Relayer)
	if !ok || !r.CanRelay(ctx, c.room.Net) {
		return nil
	}
	return &transports.Author{Name: c.g.nicks.of(c.row.Sender)}
}
