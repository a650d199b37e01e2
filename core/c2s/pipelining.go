package c2s

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of clients that do not wait for answers.
const (
	nsPipelining = "urn:xmpp:features:pipelining" // XEP-0305
	nsVersion    = "urn:xmpp:iap:0"               // XEP-0509
)

// staleVersion refuses a login whose client goes by features that are not offered any more (XEP-0509 §2.2). It is no failed login.
const staleVersion = "<failure xmlns='" + sasl.NS2 + "'><aborted xmlns='" + sasl.NS + "'/><config-version-mismatch xmlns='" + nsVersion +
	"'/><text>the features of the server have changed: choose anew</text></failure>"

// newOffer renders features. Those that are offered before a login with TLS have a version, which is a hash of the others.
func (c *conn) newOffer(at stage, current *settings) *offer {
	list := c.features(at)
	if at != wantLoginTLS {
		return &offer{settings: current, text: c.AppendFeatures(nil, list...)}
	}
	hash := sha256.Sum256(c.AppendFeatures(nil, list...))
	version := base64.StdEncoding.EncodeToString(hash[:18])
	list = append(list, stanza.NewElement(nsVersion, "config-version").With("scheme", "opaque").With("value", version))
	return &offer{settings: current, text: c.AppendFeatures(nil, list...), version: version}
}

// stale reports whether a login goes by other features than those that are offered.
func (c *conn) stale(e *stanza.Element) bool {
	v := e.Child(nsVersion, "config-version")
	return v != nil && v.Attr("value") != c.offered().version
}
