package component

import (
	"fmt"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
)

// External is a component of another program, which may attach.
type External struct {
	Domain jid.JID
	Secret string

	Connections int  // at the same time; 1
	RejectMore  bool // beyond that number a new connection is refused; otherwise the oldest, which is probably dead, is ended
	// Spread distributes the stanzas over several connections, by their senders. Otherwise all go to the oldest connection, and to the next
	// one when that ends.
	Spread bool
	Rate   int // bytes a second that all its connections may send; 0: Limits.Rate
}

// Configured returns the components of the configuration.
func Configured(list []config.Component) ([]External, error) {
	externals := make([]External, 0, len(list))
	for i, k := range list {
		domain, err := jid.Parse(k.Domain)
		if err != nil {
			return nil, fmt.Errorf("component[%d].domain: %w", i, err)
		}
		externals = append(externals, External{
			Domain: domain, Secret: k.Secret, Connections: k.Connections, Rate: int(k.Rate),
			RejectMore: k.Conflict == config.Reject, Spread: k.Distribution == config.Spread,
		})
	}
	return externals, nil
}
