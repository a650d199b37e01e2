package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// request is what is known about a request.
type request struct {
	client netip.Addr
	secure bool
	pace   time.Duration
}

type requestKey struct{}

// Client returns the address of a request's client.
func Client(r *http.Request) netip.Addr {
	if in, ok := r.Context().Value(requestKey{}).(*request); ok {
		return in.client
	}
	return netip.Addr{}
}

// Secure reports whether nobody between the client and this machine can read a request and its answer: it came over TLS, from this machine, or
// a trusted proxy says in X-Forwarded-Proto that it came over TLS.
func Secure(r *http.Request) bool {
	in, ok := r.Context().Value(requestKey{}).(*request)
	return ok && in.secure
}

// isSecure is Secure of a request whose client is known. A proxy on this machine that says nothing is believed to have TLS.
func isSecure(r *http.Request, trusted bool) bool {
	if r.TLS != nil {
		return true
	}
	direct, err := netip.ParseAddrPort(r.RemoteAddr)
	local := err == nil && direct.Addr().Unmap().IsLoopback()
	switch r.Header.Get("X-Forwarded-Proto") {
	case "https", "wss":
		return trusted || local
	case "":
		return local
	}
	return false
}

// clientOf returns the address of the client, and whether a trusted proxy has forwarded the request: the last address of
// X-Forwarded-For that is not a trusted proxy's. What stands before it came from the client, who may write there anything.
func (s *Server) clientOf(r *http.Request) (client netip.Addr, forwarded bool) {
	if direct, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		client = direct.Addr().Unmap()
	}
	if !s.trusts(client) {
		return client, false
	}
	list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(list) {
		a, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break // what a proxy does not write is not believed
		}
		client, forwarded = a.Unmap().WithZone(""), true
		if !s.trusts(client) {
			break
		}
	}
	return client, forwarded
}

func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.options.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}
