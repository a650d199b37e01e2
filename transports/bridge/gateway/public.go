package gateway

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// ErrPrivate is of an address from which nothing is fetched, since it is not public.
var ErrPrivate = errors.New("nothing is fetched from this address: it is not public, or not https")

// PublicOnly is a net.Dialer's Control that lets connections be made to public addresses only. It is called with the address that a name
// was resolved to.
func PublicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !Public(at.Addr()) {
		return ErrPrivate
	}
	return nil
}

// Public reports whether an address leads to a public host.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// reserved are networks whose addresses lead to no public host although they are global unicast in form.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"), // IPv4 inside
	netip.MustParsePrefix("fec0::/10"), // once what fc00::/7 is now
}
