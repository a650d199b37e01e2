package gateways

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/server"
)

// host runs gateways: a server of this process, or links to a foreign one.
type host interface {
	// start runs the gateway of a network at once, or when the host begins to run.
	start(ctx context.Context, c config.Config, e enabled) error
	// stop stops a gateway and waits until it has ended. After an error it may be called again; until it has returned nil,
	// start returns an error for that domain: two gateways would send the same messages.
	stop(ctx context.Context, domain jid.JID) error
}

// startAll starts the gateways that a configuration enables.
func startAll(ctx context.Context, h host, m *maker, c config.Config) error {
	list, err := m.open(c, func(string) bool { return true })
	for _, e := range list {
		if err == nil {
			err = h.start(ctx, c, e)
		}
	}
	return err
}

// reloader applies new configurations while gateways run. Its methods run in one goroutine.
type reloader struct {
	host    host
	maker   *maker
	running config.Config
	apply   func(config.Config) error // changes the host's own settings; after an error nothing is changed
	late    map[string]string         // sections whose gateway has not ended in time, with its domain
}

// runHost runs the host until ctx ends, and applies the configurations that come meanwhile.
func (r *reloader) runHost(ctx context.Context, run func(context.Context) error) error {
	reloading, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case c := <-r.maker.options.Reloads:
				r.reload(reloading, c)
			case <-reloading.Done():
				return
			}
		}
	})
	err := run(ctx)
	stop()
	// The reload was cancelled when ctx ended, so it has already had the time that run took to stop.
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
	defer cancel()
	return errors.Join(err, server.Wait(deadline, &wg))
}

// abandonTime is how long the end of the program waits for a reload that blocks.
const abandonTime = 500 * time.Millisecond

// reload applies a configuration and logs what it has changed and what needs a restart.
func (r *reloader) reload(ctx context.Context, next config.Config) {
	log := r.maker.options.Log
	merged, changes := r.running.Reload(next)
	affected := r.affected(changes)
	networks, err := r.maker.open(merged, affected)
	if err == nil {
		err = r.apply(merged)
	}
	if err != nil {
		log.Error("configuration not reloaded: nothing was changed", "err", err)
		return
	}
	before := r.running
	r.running = merged
	r.replace(ctx, before, affected, networks)
	if f := r.maker.options.Reloaded; f != nil {
		f(r.running)
	}
	log.Info("configuration reloaded", "changed", list(changes.Reloaded))
	if len(changes.Restart) > 0 {
		log.Warn("these settings have changed and need a restart", "settings", list(changes.Restart))
	}
}

func list(settings []string) string {
	if len(settings) == 0 {
		return "none"
	}
	return strings.Join(settings, ", ")
}

// affected returns which networks' gateways have to be started again: those whose section has changed, or all
// after a change of what all of them share.
func (r *reloader) affected(changes config.Changes) func(section string) bool {
	shared := slices.ContainsFunc(changes.Reloaded, func(path string) bool {
		return strings.HasPrefix(path, "gateway.") || path == "server.archive" || path == "limits.component_bytes"
	})
	return func(section string) bool {
		return shared || r.late[section] != "" || slices.ContainsFunc(changes.Reloaded, func(path string) bool { return strings.HasPrefix(path, section+".") })
	}
}

// replace stops the affected gateways of the configuration before, and starts those of the running one. A gateway
// that cannot be started is started as it was before.
func (r *reloader) replace(ctx context.Context, before config.Config, affected func(section string) bool, networks []enabled) {
	log := r.maker.options.Log
	for _, s := range before.Sections {
		if n := s.Network(); r.late[s.Name] != "" {
			r.stop(ctx, s.Name, r.late[s.Name])
		} else if n.Enabled && affected(s.Name) {
			r.stop(ctx, s.Name, n.Domain)
		}
	}
	for _, e := range networks {
		if r.late[e.kind] != "" {
			continue
		}
		if err := r.host.start(ctx, r.running, e); err != nil {
			log.Error("gateway not started", "network", e.kind, "domain", e.domain, "err", err)
			r.restore(ctx, before, e.kind)
		}
	}
}

// stop stops the gateway of a section. If that takes too long the next reload goes on with it.
func (r *reloader) stop(ctx context.Context, section, domain string) {
	deadline, cancel := context.WithTimeout(ctx, time.Duration(r.running.Server.Shutdown))
	defer cancel()
	d, err := jid.Parse(domain)
	if err == nil {
		err = r.host.stop(deadline, d)
	}
	if err == nil {
		delete(r.late, section)
		return
	}
	if r.late == nil {
		r.late = map[string]string{}
	}
	r.late[section] = domain
	if ctx.Err() == nil {
		r.maker.options.Log.Error("gateway not stopped in time and not started again: reload later, or restart", "domain", domain, "err", err)
	}
}

// restore starts the gateway of a network with the configuration that it had.
func (r *reloader) restore(ctx context.Context, before config.Config, kind string) {
	i := slices.IndexFunc(before.Sections, func(s config.Section) bool { return s.Name == kind })
	if !before.Sections[i].Network().Enabled {
		return
	}
	r.running.Sections[i] = before.Sections[i]
	networks, err := r.maker.open(before, func(section string) bool { return section == kind })
	for _, e := range networks {
		err = errors.Join(err, r.host.start(ctx, before, e))
	}
	if err != nil {
		r.maker.options.Log.Error("gateway not started as it was before either: change its settings and reload, or restart", "network", kind, "err", err)
	}
}
