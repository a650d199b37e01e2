package commands

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Commands runs the commands of one host.
type Commands struct {
	host   *router.Host
	engine func() *command.Engine // with the commands of all features
}

// New returns the feature.
func New(h *router.Host) *Commands {
	c := &Commands{host: h}
	c.engine = sync.OnceValue(func() *command.Engine {
		e := command.NewEngine(command.Limits{}, nil)
		for _, f := range h.Features() {
			for _, declared := range f.HostDisco.Commands {
				e.Add(declared)
			}
		}
		return e
	})
	return c
}

// Feature declares the feature.
func (c *Commands) Feature() router.Feature {
	return router.Feature{
		Name: "commands", HostIQ: map[string]router.IQHandler{command.NS: c.iq},
		HostDisco: router.Disco{Source: source{c}},
	}
}

// Forget ends the commands that an account has begun, since the account is being deleted: whoever gets the name next cannot go on
// with them.
func (c *Commands) Forget(account jid.JID) { c.engine().Forget(account) }

func (c *Commands) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	return c.engine().Handle(ctx, q.Stanza)
}

// source lists the commands; they are known when all features are.
type source struct{ c *Commands }

// DiscoInfo implements disco.Source.
func (s source) DiscoInfo(ctx context.Context, q disco.Query) (disco.Info, error) {
	return s.c.engine().DiscoInfo(ctx, q)
}

// DiscoItems implements disco.Source.
func (s source) DiscoItems(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	return s.c.engine().DiscoItems(ctx, q)
}
