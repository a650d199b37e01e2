package server

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/web"
	"github.com/dragoman-im/dragoman/core/web/chat"
	"github.com/dragoman-im/dragoman/core/web/hostmeta"
)

// serveClients lets clients connect over HTTP, publishes how, and serves one that runs in browsers.
func (s *Server) serveClients() error {
	c := s.config.Web
	public, err := s.public()
	if err != nil || !c.Clients && len(public.Addresses) == 0 {
		return err
	}
	published := hostmeta.Documents{Below: s.belowHosts(public)}
	if c.Clients {
		s.http.web.Handle((&web.Clients{Server: s.clients, Origins: c.Origins, OverTLS: s.addressOverTLS()}).Routes()...)
	}
	options := chat.Options{Register: s.config.Server.Register}
	for _, h := range s.hosts {
		name := h.domain.String()
		address := s.publicURL(name)
		var links []hostmeta.Link
		if c.Clients {
			links = hostmeta.ForClients(address)
		}
		if err := published.Add(name, public.Document(name, links)); err != nil {
			return fmt.Errorf("publish how clients connect: %w", err)
		}
		options.Hosts = append(options.Hosts, name)
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			options.Uploads = append(options.Uploads, u.Scheme+"://"+u.Host)
		}
	}
	if u, err := url.Parse(s.config.Upload.S3Public); err == nil && u.Host != "" {
		options.Uploads = append(options.Uploads, u.Scheme+"://"+u.Host)
	}
	s.http.web.Handle(published.Routes()...)
	if !c.Chat || !c.Clients {
		return nil
	}
	if len(s.anonymous) > 0 {
		options.Guests = s.anonymous[0].Domain().String()
	}
	routes, err := chat.Routes(options)
	if err != nil {
		return err
	}
	s.http.web.Handle(routes...)
	return nil
}

// addressOverTLS returns where clients reach the HTTP server over TLS, "" if that is not known.
func (s *Server) addressOverTLS() string {
	if address := s.publicURL(s.hosts[0].domain.String()); strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}

// public returns where the server can be reached from outside, as far as the configuration says it.
func (s *Server) public() (p hostmeta.Public, err error) {
	c := s.config.Web
	if p.Addresses, err = c.PublicAddresses(); err != nil {
		return p, fmt.Errorf("web.addresses: %w", err)
	}
	p.Clients = publicPort(c.ClientPort, s.ports.c2sTLS)
	if s.remote != nil {
		p.Servers = publicPort(c.ServerPort, s.ports.s2sTLS)
	}
	p.WebSocketOnOurHost = c.URL == ""
	return p, nil
}

// publicPort returns a port that the configuration names, or that of the first listener.
func publicPort(configured int, listeners []net.Listener) uint16 {
	if configured != 0 || len(listeners) == 0 {
		return uint16(configured)
	}
	if at, ok := listeners[0].Addr().(*net.TCPAddr); ok {
		return uint16(at.Port)
	}
	return 0
}

// belowHosts returns the documents of the domains that are no hosts: rooms, gateways and other services, to which only other servers connect.
func (s *Server) belowHosts(public hostmeta.Public) func(string) (hostmeta.Document, bool) {
	return func(domain string) (hostmeta.Document, bool) {
		at, err := jid.Parse(domain)
		if err != nil || !at.IsHost() || len(public.Addresses) == 0 || !s.router.Serves(at) {
			return hostmeta.Document{}, false
		}
		return public.Below(at.Domain()), true
	}
}
