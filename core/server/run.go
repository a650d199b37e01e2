package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// group runs the goroutines of a server; the first error stops all of them.
type group struct {
	wg     sync.WaitGroup
	cancel context.CancelCauseFunc
}

func (g *group) run(f func() error) {
	g.wg.Go(func() {
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			g.cancel(err)
		}
	})
}

// Run serves until ctx ends, then stops in order: listeners, clients (with system-shutdown), services,
// components, store.
func (s *Server) Run(ctx context.Context) error {
	// accepting ends first; working ends when all clients are disconnected.
	accepting, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	if err := s.restoreOutbox(ctx); err != nil && ctx.Err() == nil { // when ctx has ended already, what is not read stays there
		return errors.Join(err, s.Close())
	}
	inner := &group{cancel: fail}
	s.startServices(working, inner)
	inner.run(func() error { return s.components.Run(working, s.ports.component, s.ports.componentTLS) })
	for _, l := range s.ports.proxy {
		inner.run(func() error { return s.ports.relay.Serve(working, l) })
	}
	inner.run(func() error { return s.prune(working) })
	inner.run(func() error { return s.indexWords(working) })
	inner.run(func() error { return LogCounts(working, s.log, s.Counts) })
	inner.run(func() error { return s.periodic(working) })
	inner.run(func() error { return s.recheck(working) })
	inner.run(func() error { return s.hosts[0].blockLists.Run(working) })
	inner.run(func() error { return s.http.uploads.Run(working) })
	inner.run(func() error { return trimMemory(working) })
	inner.run(func() error { return s.clients.Rest(working, restEvery) })
	inner.run(func() error { return s.hold.Watch(working) })
	inner.run(func() error { return s.awaitStop(working) })
	for _, h := range s.hosts {
		h.events.info.Start(working)
		inner.run(func() error { return h.events.info.Run(working) })
	}
	if s.remote != nil {
		inner.run(func() error { return s.remote.Run(working) })
	}
	outer := &group{cancel: fail}
	for _, l := range s.ports.s2s {
		outer.run(func() error { return s.remote.Serve(accepting, l) })
	}
	for _, l := range s.ports.s2sTLS {
		outer.run(func() error { return s.remote.ServeTLS(accepting, l) })
	}
	for _, l := range s.ports.c2s {
		outer.run(func() error { return s.clients.Serve(accepting, l) })
	}
	for _, l := range s.ports.c2sTLS {
		outer.run(func() error { return s.clients.ServeTLS(accepting, l) })
	}
	for _, l := range s.ports.http {
		outer.run(func() error { return s.http.web.Serve(accepting, l) })
	}
	for _, l := range s.ports.httpTLS {
		outer.run(func() error { return s.http.web.ServeTLS(accepting, l) })
	}
	s.log.Info("serving", "hosts", s.config.Server.Hosts, "c2s", addresses(s.ports.c2s), "c2s_tls", addresses(s.ports.c2sTLS), "s2s", addresses(s.ports.s2s), "s2s_tls", addresses(s.ports.s2sTLS),
		"component", addresses(s.ports.component), "component_tls", addresses(s.ports.componentTLS), "http", addresses(s.ports.http), "http_tls", addresses(s.ports.httpTLS), "services", len(s.attachedServices()), "version", Version())

	<-accepting.Done()
	s.log.Info("stopping")
	err := s.drain(context.WithoutCancel(ctx), &outer.wg, func() *sync.WaitGroup {
		s.endServices()
		stop()
		return &inner.wg
	})
	if cause := context.Cause(accepting); !errors.Is(cause, errStop) && !errors.Is(cause, context.Canceled) && !errors.Is(cause, ctx.Err()) {
		err = errors.Join(cause, err)
	}
	s.log.Info("stopped")
	return err
}

// drain ends the requests over HTTP, disconnects the clients, stops the services and closes the store, within server.shutdown: it returns then whatever
// has not ended. The clients have half of that time, so that one that never reads leaves time for the services,
// which stop when rest is called, and for the store. No new clients come when the listeners have ended.
func (s *Server) drain(ctx context.Context, listeners *sync.WaitGroup, rest func() *sync.WaitGroup) error {
	whole := time.Duration(s.config.Server.Shutdown)
	deadline, done := context.WithTimeout(ctx, whole)
	defer done()
	clients, enough := context.WithTimeout(deadline, whole/2)
	defer enough()
	err := Wait(clients, listeners)
	var requests sync.WaitGroup
	requests.Go(func() { s.http.web.Shutdown(clients) })
	defer context.AfterFunc(clients, s.http.uploads.EndWriters)()
	s.clients.Shutdown(clients)
	err = errors.Join(err, Wait(deadline, &requests))
	err = errors.Join(err, Wait(deadline, rest()))
	if s.remote != nil { // after all that send something
		s.remote.Shutdown(deadline)
	}
	if s.router.AwaitLookups(deadline) != nil {
		err = errors.Join(err, errSlowStop)
	}
	return errors.Join(err, CloseWithin(deadline, s))
}

// CloseWithin closes c and returns its error, or at the end of ctx that it has not been closed.
func CloseWithin(ctx context.Context, c io.Closer) error {
	var err error
	var closing sync.WaitGroup
	closing.Go(func() { err = c.Close() })
	if slow := Wait(ctx, &closing); slow != nil {
		return slow
	}
	return err
}

// errSlowStop is returned if the server did not stop before the deadline.
var errSlowStop = errors.New("stopped at the deadline with unfinished work; everything that was acknowledged is committed")

// Wait waits for a group of goroutines. If ctx ends first it returns an error.
func Wait(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done: // both have ended
		return nil
	default:
		return errSlowStop
	}
}

// addresses returns the actual addresses of listeners; they differ from the configured ones for port 0.
func addresses(list []net.Listener) []string {
	all := make([]string, len(list))
	for i, l := range list {
		all[i] = l.Addr().String()
	}
	return all
}
