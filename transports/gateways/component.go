package gateways

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/database"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
)

// Component runs the gateways under a foreign server until ctx ends, and applies the configurations of
// Options.Reloads meanwhile.
func Component(ctx context.Context, c config.Config, o Options) (err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if !anyEnabled(c) {
		return noneEnabled(c)
	}
	opened, hold, err := database.Open(ctx, c, exclusive.Component, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.Close()) }()
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	outside := &outside{fail: fail, links: map[jid.JID]*foreignServer{}}
	var served *files
	m, err := newMaker(ctx, c, o, opened)
	if err == nil {
		outside.maker = m
		served, err = m.listen(ctx, c)
	}
	if err == nil {
		if err = startAll(ctx, outside, m, c); err != nil {
			served.close()
		}
	}
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	o.Log.Info("gateways run as components", "server", c.Foreign.Address, "domains", outside.domains(), "version", server.Version())
	r := &reloader{host: outside, maker: m, running: c, apply: func(c config.Config) error {
		opened.SetLimits(database.Limits(c))
		return nil
	}}
	err = r.runHost(running, func(ctx context.Context) error {
		outside.run(ctx)
		listening := served.run(ctx, fail)
		var counting sync.WaitGroup
		counting.Go(func() {
			_ = server.LogCounts(ctx, o.Log, func() []server.Count { return append(outside.counts(), served.counts()...) })
		})
		counting.Go(func() { fail(hold.Watch(ctx)) })
		<-ctx.Done()
		o.Log.Info("stopping")
		counting.Wait()
		listening.Wait()
		return nil
	})
	deadline, done := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(c.Server.Shutdown))
	defer done()
	half, cancel := context.WithTimeout(deadline, time.Duration(c.Server.Shutdown)/2)
	defer cancel()
	served.shutdown(half) // leaves time for the rest
	err = errors.Join(err, server.Wait(deadline, &outside.all), server.CloseWithin(deadline, opened))
	if cause := context.Cause(running); !errors.Is(cause, context.Canceled) && !errors.Is(cause, ctx.Err()) {
		err = errors.Join(cause, err)
	}
	return err
}

// noneEnabled names the sections that could be.
func noneEnabled(c config.Config) error {
	names := make([]string, len(c.Sections))
	for i, s := range c.Sections {
		names[i] = "[" + s.Name + "]"
	}
	list := strings.Join(names, ", ")
	if i := strings.LastIndex(list, ", "); i >= 0 {
		list = list[:i] + " or" + list[i+1:]
	}
	return fmt.Errorf("no gateway is enabled: set enabled = true in %s", list)
}
