package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// group runs what a server consists of; the first that fails ends them all.
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

// Run serves until ctx ends, then stops in order: the listeners, the clients with system-shutdown,
// the services, the components, the store.
func (s *Server) Run(ctx context.Context) error {
	// accepting ends first, working when the clients have been disconnected.
	accepting, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	inner := &group{cancel: fail}
	for _, a := range s.services {
		a.start(working, inner)
		s.advertise(a.Endpoint.Domain())
	}
	for _, l := range s.ports.component {
		inner.run(func() error { return s.components.Serve(working, l) })
	}
	inner.run(func() error { return s.prune(working) })
	inner.run(func() error { return logCounts(working, s.log, s.Counts) })
	inner.run(func() error { return s.periodic(working) })
	inner.run(func() error { return trimMemory(working) })
	outer := &group{cancel: fail}
	for _, l := range s.ports.c2s {
		outer.run(func() error { return s.clients.Serve(accepting, l) })
	}
	for _, l := range s.ports.c2sTLS {
		outer.run(func() error { return s.clients.ServeTLS(accepting, l) })
	}
	s.log.Info("serving", "hosts", s.config.Server.Hosts, "c2s", addresses(s.ports.c2s), "c2s_tls", addresses(s.ports.c2sTLS),
		"component", addresses(s.ports.component), "services", len(s.services), "version", Version())

	<-accepting.Done()
	s.log.Info("stopping")
	outer.wg.Wait()
	err := s.drain(context.WithoutCancel(ctx), func() *sync.WaitGroup {
		stop()
		return &inner.wg
	})
	if cause := context.Cause(accepting); !errors.Is(cause, context.Canceled) && !errors.Is(cause, ctx.Err()) {
		err = errors.Join(cause, err)
	}
	s.log.Info("stopped")
	return err
}

// drain ends what the outer listeners have let in, within the time that a stop may take. The
// clients have the greater part of it, so that one who never reads leaves some for the
// services, which stop when rest is called, and for the store.
func (s *Server) drain(ctx context.Context, rest func() *sync.WaitGroup) error {
	whole := time.Duration(s.config.Server.Shutdown)
	deadline, done := context.WithTimeout(ctx, whole)
	defer done()
	clients, enough := context.WithTimeout(deadline, whole/2)
	defer enough()
	s.clients.Shutdown(clients)
	err := Wait(deadline, rest())
	var failed error
	var closing sync.WaitGroup
	closing.Go(func() { failed = s.Close() })
	if slow := Wait(deadline, &closing); slow != nil {
		return errors.Join(err, slow)
	}
	return errors.Join(err, failed)
}

// errSlowStop says that the deadline of a stop has passed.
var errSlowStop = errors.New("stopped at the deadline, with work not finished: what was promised is on disk")

// Wait waits for the goroutines of a group, but not beyond the end of ctx, which is an error.
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
	case <-done: // both at the same moment
		return nil
	default:
		return errSlowStop
	}
}

// addresses are where listeners really listen, for port 0.
func addresses(list []net.Listener) []string {
	all := make([]string, len(list))
	for i, l := range list {
		all[i] = l.Addr().String()
	}
	return all
}
