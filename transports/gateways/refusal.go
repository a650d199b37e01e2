package gateways

import (
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stream"
)

// refusal is the remedy where the foreign server does not take the component; nil for
// what may pass by itself.
func refusal(c config.Config, kind string, domain jid.JID, err error) error {
	if !errors.Is(err, component.ErrRefused) {
		return nil
	}
	peer, ok := errors.AsType[stream.PeerError](err)
	switch {
	case errors.Is(err, component.ErrNotComponents), ok && peer.Cause.Condition == stream.InvalidNamespace:
		return fmt.Errorf("foreign.address: %s takes no components: give the port that the server has for them", c.Foreign.Address)
	case !ok:
		return nil // it hung up without a reason: perhaps it is stopping
	case peer.Cause.Condition == stream.NotAuthorized: // ejabberd's answer to both
		return fmt.Errorf("%s.secret: %s does not accept the secret for %s, or does not know that domain: "+
			"the server's configuration must name both", kind, c.Foreign.Address, domain)
	case peer.Cause.Condition == stream.HostUnknown:
		return fmt.Errorf("%s.domain: %s has no component %s: add it to the server's configuration", kind, c.Foreign.Address, domain)
	}
	return fmt.Errorf("foreign.address: %s refuses the component %s: %w", c.Foreign.Address, domain, peer.Cause)
}
