package logins

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Secrets keeps secrets of the gateway that belong to no login.
type Secrets interface {
	Secret(ctx context.Context, name string) (tables.Sealed, bool, error)
	PutSecret(ctx context.Context, name string, secret tables.Sealed) error
}

// nonceKey is the name of the key of nonces, and what its encryption is bound to.
const nonceKey = "nonce key"

// NonceKey is the key from which the ids of calls are made: without it, others on the network could make the id of a call and
// pass off a message of theirs as its echo. It is made once and kept, since a call that is repeated after a restart must have
// the same id. One that cannot be decrypted is replaced.
func (l *Logins) NonceKey(ctx context.Context, kept Secrets) ([]byte, error) {
	sealed, ok, err := kept.Secret(ctx, nonceKey)
	if err != nil {
		return nil, err
	}
	var key []byte
	if ok {
		if key, err = l.keys.Open(transports.LoginID(nonceKey), sealed); err == nil && l.keys.Current(sealed) {
			return key, nil
		}
	}
	if !ok || err != nil {
		if err != nil {
			l.env.Log.Warn("the key of nonces is replaced", "error", err)
		}
		key = newKey()
	}
	return key, kept.PutSecret(ctx, nonceKey, l.keys.Seal(transports.LoginID(nonceKey), key))
}
