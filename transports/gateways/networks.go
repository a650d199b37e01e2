package gateways

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// Sections makes the configuration's sections of networks, with their defaults, for config.Load.
func Sections(networks []transports.Registration) []config.Section {
	sections := make([]config.Section, len(networks))
	for i, n := range networks {
		sections[i] = config.Section{Name: n.Kind, Doc: n.Doc, Settings: n.Section()}
	}
	return sections
}

// enabled is a network that the configuration switches on.
type enabled struct {
	transports.Network
	kind   string
	domain jid.JID
	secret string // shared with a foreign server
}

// open makes the networks that the configuration enables and that are wanted, and checks that each can do
// what it declares.
func open(c config.Config, m *maker, wanted func(section string) bool) ([]enabled, error) {
	var all []enabled
	for _, s := range c.Sections {
		common := s.Network()
		if !common.Enabled || !wanted(s.Name) {
			continue
		}
		registered, err := find(m.options.Networks, s.Name)
		if err != nil {
			return nil, err
		}
		domain, err := jid.Parse(common.Domain)
		if err != nil {
			return nil, fmt.Errorf("gateway domain %q: %w", common.Domain, err)
		}
		n, err := registered.New(s.Settings, transports.Environment{
			Log:      m.options.Log.With("network", s.Name),
			RetryMin: time.Duration(c.Gateway.RetryMin), RetryMax: time.Duration(c.Gateway.RetryMax),
			Storage: storage{dir: filepath.Join(c.Server.Data, s.Name+"-"+domain.String()), keys: m.keys},
		})
		if err == nil {
			err = transports.CheckNetwork(n)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, enabled{n, s.Name, domain, common.Secret})
	}
	return all, nil
}

func find(networks []transports.Registration, kind string) (transports.Registration, error) {
	for _, n := range networks {
		if n.Kind == kind {
			return n, nil
		}
	}
	return transports.Registration{}, errors.New("the configuration has a section [" + kind + "] for a network that is not in this program")
}

// anyEnabled reports whether the configuration switches a network on.
func anyEnabled(c config.Config) bool {
	for _, s := range c.Sections {
		if s.Network().Enabled {
			return true
		}
	}
	return false
}
