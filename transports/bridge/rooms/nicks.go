package rooms

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// maxNicks is how many users' nicknames are remembered.
const maxNicks = 50_000

// nicks are the nicknames that users asked for when they entered a room last.
type nicks struct {
	mu sync.Mutex
	by map[jid.JID]string
}

func (n *nicks) put(who jid.JID, nick string) {
	if nick == "" || len(nick) > convert.MaxID {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil || len(n.by) >= maxNicks {
		n.by = map[jid.JID]string{}
	}
	n.by[who.Bare()] = nick
}

func (n *nicks) of(who jid.JID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if nick := n.by[who.Bare()]; nick != "" {
		return nick
	}
	return jid.Unescape(who.Local())
}
