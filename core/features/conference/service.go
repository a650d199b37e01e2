package conference

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/router"
)

// Name is the name of the service in service discovery.
const Name = "Rooms"

// stopWait is how long Run waits for stanzas that were sent before the server stops.
const stopWait = 5 * time.Second

// Clock is a time that does not follow a clock of the system that was set wrong.
type Clock interface {
	Now(ctx context.Context) (time.Time, error)
}

// Options are the parameters of New.
type Options struct {
	Endpoint *router.Endpoint // of the service's domain
	Store    Store
	Lists    Lists // of what is in Store
	Public   Directory
	Archives Archives
	Clock    Clock        // by which old messages are deleted
	Secret   []byte       // of occupant ids; it must never change
	Config   config.Rooms // the settings; SetConfig replaces those that can be reloaded
	People
	// Space reports whether a node of a service is a space (XEP-0503); may be nil.
	Space func(ctx context.Context, service jid.JID, node string) (bool, error)
	// Destroyed is called with a permanent room that was destroyed, and the node of a service that it named as its own; may be nil.
	Destroyed func(ctx context.Context, service jid.JID, node string, room jid.JID) error
	CardBytes int // of the vCard of a room
	// Notify is called with the messages of rooms, to notify accounts that have no session in them; may be nil.
	Notify func(context.Context, notification.Message)
	Log    *slog.Logger
}

// People says what addresses are.
type People struct {
	// Local reports whether an address is an account of a served host, and Admin whether it belongs to an administrator.
	Local, Admin func(who jid.JID) bool
	// Listed reports whether an address, or the occupant id that it has in a room, is on a list of those that send spam; may be nil.
	Listed func(who jid.JID, occupant string) bool
}

// Service is the conference service of a host.
type Service struct {
	Options
	settings    atomic.Pointer[config.Rooms]
	rooms       *rooms.Service // set before started is closed
	started     chan struct{}
	features    []string      // of every room
	changed     chan struct{} // the settings were
	search      *channelsearch.Search
	crowds      crowds
	generations generations
	queries     queries // of archives; set before started is closed

	// Counters count what was refused because of a limit.
	Counters struct{ Rooms, Size, Rate, Queries atomic.Uint64 }
}

// New returns the service of a domain. It handles stanzas when Run is called.
func New(o Options) *Service {
	s := &Service{Options: o, started: make(chan struct{}), features: append(features(), command.NS, muc.NSVCard), changed: make(chan struct{}, 1)}
	s.search = channelsearch.New(channelsearch.Options{Source: public{s}, Limits: s.searchLimits, Local: o.Local})
	s.SetConfig(o.Config)
	return s
}

// SetConfig replaces the settings. The limits of rooms that are in memory stay.
func (s *Service) SetConfig(c config.Rooms) {
	s.settings.Store(&c)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Domain returns the address of the service.
func (s *Service) Domain() jid.JID { return s.Endpoint.Domain() }

// Run serves the rooms until ctx ends; the occupants are then told that the service shuts down.
func (s *Service) Run(ctx context.Context) error {
	if err := s.Lists.DeleteTemporary(ctx, s.Domain()); err != nil { // left by a process that did not stop in order
		return fmt.Errorf("start the rooms of %s: %w", s.Domain(), err)
	}
	s.queries = queries{local: s.newQueries(ctx, archiveReaders), foreign: s.newQueries(ctx, foreignReaders)}
	s.rooms = rooms.New(context.WithoutCancel(ctx), rooms.Options{
		Domain: s.Domain(), Policy: policy{s}, Endpoint: s.Endpoint, Secret: s.Secret, Store: s.Store,
		IdleFor: time.Duration(s.Config.Idle), Info: info(), Query: s.query, Log: s.Log,
	})
	s.Endpoint.Handle(s.rooms.Handle)
	close(s.started)
	s.prune(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer cancel()
	s.rooms.Stop(stopping)
	s.queries.local.Stop()
	s.queries.foreign.Stop()
	return nil
}

func info() disco.Info {
	return disco.Info{Identities: []disco.Identity{{Category: "conference", Type: "text", Name: Name}}, Features: []string{muc.NSVCard, channelsearch.NS}}
}

// Started returns a channel that is closed when stanzas are handled.
func (s *Service) Started() <-chan struct{} { return s.started }

// limits are those of a room that is loaded now.
func (s *Service) limits() *rules.Limits {
	c := s.settings.Load()
	return &rules.Limits{
		Sessions: c.Occupants, Affiliations: c.Affiliations, Nick: int(c.NickBytes), Subject: int(c.SubjectBytes), History: c.History,
	}
}

// Counted declares the counters, for the host that the domain is below.
func (s *Service) Counted() []router.Counter {
	return []router.Counter{
		{Setting: "rooms.per_account", Value: &s.Counters.Rooms}, {Setting: "rooms.message_bytes", Value: &s.Counters.Size},
		{Setting: "rooms.messages", Value: &s.Counters.Rate}, {Setting: "rooms.archive_queries", Value: &s.Counters.Queries},
		{Setting: "rooms.searches", Value: s.searches()},
	}
}
