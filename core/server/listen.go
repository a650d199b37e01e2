package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/bytestreams"
)

// ports are the open listeners.
type ports struct {
	c2s, c2sTLS, s2s, s2sTLS, component, componentTLS, proxy, http, httpTLS []net.Listener

	relay *bytestreams.Relay // of proxy; nil if that is empty
}

// listen opens all ports. The error names every port that cannot be opened, and what to do.
func listen(all config.Config) (p ports, err error) {
	c := all.Listen
	if !all.Federates() {
		c.S2S, c.S2STLS = nil, nil
	}
	// Package c2s pings silent clients, so TCP keepalive is off: it would wake phones every 15 seconds and
	// costs four system calls for each connection.
	clients := net.ListenConfig{KeepAlive: -1}
	for _, l := range []struct {
		how   net.ListenConfig
		path  string
		addrs []string
		to    *[]net.Listener
	}{
		{clients, "listen.c2s", c.C2S, &p.c2s},
		{clients, "listen.c2s_tls", c.C2STLS, &p.c2sTLS},
		{net.ListenConfig{}, "listen.s2s", c.S2S, &p.s2s},
		{net.ListenConfig{}, "listen.s2s_tls", c.S2STLS, &p.s2sTLS},
		{net.ListenConfig{}, "listen.component", c.Component, &p.component},
		{net.ListenConfig{}, "listen.component_tls", c.ComponentTLS, &p.componentTLS},
		{net.ListenConfig{}, "listen.proxy", c.Proxy, &p.proxy},
		{net.ListenConfig{}, "listen.http", c.HTTP, &p.http},
		{net.ListenConfig{}, "listen.http_tls", c.HTTPTLS, &p.httpTLS},
	} {
		for _, addr := range l.addrs {
			listener, lerr := l.how.Listen(context.Background(), "tcp", addr)
			if lerr != nil {
				err = errors.Join(err, fmt.Errorf("%s: %s", l.path, explain(addr, lerr)))
				continue
			}
			*l.to = append(*l.to, listener)
		}
	}
	return p, err
}

// explain returns the error text for an address that cannot be opened.
func explain(addr string, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("%s is taken by another program; stop that one or set another address", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("%s needs a right that this user lacks; set a port above 1023", addr)
	}
	return err.Error()
}

func (p ports) close() error {
	var err error
	for _, list := range [][]net.Listener{p.c2s, p.c2sTLS, p.s2s, p.s2sTLS, p.component, p.componentTLS, p.proxy, p.http, p.httpTLS} {
		for _, l := range list {
			if cerr := l.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
				err = errors.Join(err, cerr)
			}
		}
	}
	return err
}
