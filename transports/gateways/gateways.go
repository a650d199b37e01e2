package gateways

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Options are what gateways are given besides the configuration.
type Options struct {
	Networks []transports.Registration // those of which the configuration's sections were made
	Log      *slog.Logger              // nil: nothing is logged
	// Reloads are configurations to apply while Serve or Component runs, such as after SIGHUP; may be nil.
	Reloads <-chan config.Config
	// Reloaded is called with the configuration that is in force after each of Reloads; may be nil.
	Reloaded func(config.Config)
	// Trace is called at each step of a message between XMPP and a network; may be nil.
	Trace func(step string, attrs ...slog.Attr)
}

// Server assembles a server with the gateways that are enabled; its Run has to be called, or Close.
func Server(ctx context.Context, c config.Config, o Options) (*server.Server, error) {
	i, err := newInside(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return i.server, nil
}

// Serve runs Server until ctx ends, and applies the configurations of Options.Reloads meanwhile.
func Serve(ctx context.Context, c config.Config, o Options) error {
	i, err := newInside(ctx, c, o)
	if err != nil {
		return err
	}
	r := &reloader{host: i, maker: i.maker, running: c, apply: i.server.Reload}
	return r.runHost(ctx, i.server.Run)
}

// inside runs gateways on endpoints of a server's router.
type inside struct {
	server   *server.Server
	maker    *maker
	gateways map[jid.JID]*bridge.Gateway
	serving  bool // users may be online
}

func newInside(ctx context.Context, c config.Config, o Options) (*inside, error) {
	s, err := server.New(ctx, c, server.Options{Log: o.Log})
	if err != nil {
		return nil, err
	}
	i := &inside{server: s, gateways: map[jid.JID]*bridge.Gateway{}}
	if i.maker, err = newMaker(ctx, c, o, s.Store()); err == nil {
		err = i.serveMedia(c)
	}
	if err == nil {
		err = startAll(ctx, i, i.maker, c)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	i.serving = true
	return i, nil
}

// start implements host. The users of the gateway are those of the server's hosts and whom the configuration adds.
func (i *inside) start(ctx context.Context, c config.Config, e enabled) error {
	end, err := i.server.Router().Endpoint(e.domain)
	if err != nil {
		return fmt.Errorf("attach %s: %w", e.domain, err)
	}
	end.ArchiveForSenders()
	g, err := i.maker.gateway(ctx, c, e, placement{
		endpoint: end, users: slices.Concat(c.Server.Hosts, c.Gateway.Users), usersOnline: i.serving,
		kept:    keptBy(i.server.Store()),
		archive: i.server.Store().ArchiveSent, notify: i.server.Notifier().Room, mediaURL: i.server.PublicURL(e.domain), localFiles: i.localFiles(i.server.PublicURL(e.domain)),
	})
	if err == nil {
		err = i.server.Attach(server.Attachment{
			Service: service{g, i.maker.media}, Endpoint: end, Name: e.Info().Name,
			Privileges: server.GatewayPrivileges(),
			Rooms:      g,
		})
	}
	if err != nil {
		end.Close()
		return err
	}
	i.gateways[e.domain] = g
	return nil
}

// stop implements host.
func (i *inside) stop(ctx context.Context, domain jid.JID) error {
	if g := i.gateways[domain]; g != nil {
		g.Withdraw(ctx)
	}
	err := i.server.Remove(ctx, domain)
	if err == nil {
		delete(i.gateways, domain)
	}
	return err
}

// service is a gateway as core/server runs it.
type service struct {
	*bridge.Gateway
	media *media.Service // nil where no files are served
}

func (s service) Counts() []server.Count {
	all := []server.Count{{Limit: "gateway.stanzas", Times: uint64(s.Gateway.Counters.Limited.Load())}}
	if s.media != nil {
		for _, c := range s.media.Counters(s.Domain().String()).Limits() {
			all = append(all, server.Count{Limit: c.Setting, Times: c.Value.Load()})
		}
	}
	return all
}

// maker makes gateways.
type maker struct {
	options Options
	tables  *tables.Database
	keys    *bridge.Keys   // nil before the first gateway is made
	media   *media.Service // nil where no files are served
}

func newMaker(ctx context.Context, c config.Config, o Options, s *store.Store) (*maker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	database, err := tables.Open(ctx, s) // also without gateways: those of earlier runs have rows
	if err != nil {
		return nil, err
	}
	return &maker{options: o, tables: database}, nil
}

// open makes the networks that a configuration enables, of those whose section is wanted.
func (m *maker) open(c config.Config, wanted func(section string) bool) ([]enabled, error) {
	if !anyEnabled(c) {
		return nil, nil
	}
	if m.keys == nil {
		keys, err := bridge.LoadKeys(c.Gateway.Key, filepath.Join(c.Server.Data, "gateway.key"))
		if err != nil {
			return nil, fmt.Errorf("gateway.key: %w", err)
		}
		m.keys = keys
	}
	return open(c, m, wanted)
}

// placement is what differs between a gateway inside this server and one under another server.
type placement struct {
	endpoint bridge.Endpoint
	users    []string
	kept     bridge.Kept          // empty where the server cannot be asked
	archive  func(*stanza.Stanza) // nil where the server archives by itself
	notify   func(context.Context, notification.Message)
	mediaURL string // public address at which files are served
	// localFiles open files of this server.
	localFiles []media.Local
	// usersOnline reports whether users may be online already; a link to a foreign server asks whenever it is up.
	usersOnline bool
}

// deliveryLogSuffix ends the names of the files of delivery logs, as they have been since the first release.
const deliveryLogSuffix = ".journal"

func (m *maker) gateway(ctx context.Context, c config.Config, e enabled, p placement) (*bridge.Gateway, error) {
	domain := p.endpoint.Domain()
	kept, err := m.tables.Gateway(ctx, domain)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(c.Server.Data, e.kind+"-"+domain.String()+deliveryLogSuffix)
	g, err := bridge.New(bridge.Options{
		Network: e.Network, Endpoint: p.endpoint, Store: kept, Keys: m.keys, DeliveryLog: log, Settings: settings(c, domain, p.users),
		Log: m.options.Log, Trace: traceOf(m.options.Trace, domain), Kept: p.kept, Archive: p.archive, Notify: p.notify, UsersOnline: p.usersOnline, Version: server.Version(),
	})
	if err == nil {
		g.ServeMedia(m.media, p.mediaURL)
		g.ReadFiles(fetcher(c, p.localFiles))
	}
	return g, err
}

func settings(c config.Config, domain jid.JID, users []string) bridge.Settings {
	stanzas := c.Gateway.Stanzas
	if stanzas == 0 {
		stanzas = -1 // no limit
	}
	bookmarks := c.Gateway.Bookmarks
	if bookmarks == 0 {
		bookmarks = -1 // none
	}
	autojoin := c.Gateway.Autojoin
	if autojoin == 0 {
		autojoin = -1 // never
	}
	return bridge.Settings{
		Users: users, Admins: c.Server.Admins, KeepWaiting: time.Duration(c.Gateway.Expire), KeepArchive: time.Duration(c.Server.Archive),
		History: c.Gateway.History, Members: c.Gateway.Members, Logins: c.Gateway.Accounts, Stanzas: stanzas,
		Bookmarks: bookmarks, Autojoin: autojoin,
		LinkedRooms: linkedRooms(c, domain),
	}
}

// linkedRooms are the rooms of the configuration that are to be linked to channels of a gateway.
func linkedRooms(c config.Config, domain jid.JID) (list []bridge.LinkedRoom) {
	for _, l := range c.LinkedRooms {
		channel, err1 := jid.Parse(l.Channel)
		room, err2 := jid.Parse(l.Room)
		account, err3 := jid.Parse(l.Account)
		if err1 == nil && err2 == nil && err3 == nil && channel.Domain() == domain.Domain() {
			list = append(list, bridge.LinkedRoom{Channel: channel, Room: room, Account: account, People: l.People})
		}
	}
	return list
}

// traceOf adds the gateway's domain to each step.
func traceOf(trace func(string, ...slog.Attr), domain jid.JID) func(string, ...slog.Attr) {
	if trace == nil {
		return nil
	}
	gateway := slog.String("gateway", domain.String())
	return func(step string, attrs ...slog.Attr) { trace(step, append([]slog.Attr{gateway}, attrs...)...) }
}
