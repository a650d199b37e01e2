package locate

import (
	"errors"
	"net/netip"
	"slices"
)

// errNetwork is the reason why an address is not connected to.
var errNetwork = errors.New("the address is not public; [federation] networks lists others that may be connected to")

// reserved are networks that lead to no public host although they look like it.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"), // these have an IPv4 address inside
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// allowed reports whether an address may be connected to: who controls a domain can make it point anywhere.
func (l *Locator) allowed(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.Zone() != "" || !ip.IsValid() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	if contains(l.options.Networks, ip) {
		return true
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !contains(reserved, ip)
}

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}
