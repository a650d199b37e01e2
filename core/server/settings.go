package server

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/keyfile"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/store/authentication"
	"github.com/dragoman-im/dragoman/core/stream"
)

// unlimited converts 0, which means "no limit" in the settings, to -1, which means that in other packages.
func unlimited(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func clientLimits(c config.Config) c2s.Limits {
	l := c.Limits
	return c2s.Limits{
		BeforeLogin: loginLimits(l),
		Stanza:      stream.Limits{Bytes: int(l.StanzaBytes), Elements: l.StanzaElements, Depth: l.StanzaDepth, Attrs: l.StanzaAttributes},
		Rate:        unlimited(int(l.Rate)), Burst: int(l.Burst), Queue: int(l.Queue),
		Connections: unlimited(l.Connections), Arrivals: unlimited(l.NewConnections), Sessions: l.Sessions, Recipients: unlimited(l.Recipients),
		Pending: unlimited(l.PendingConnections), Idle: time.Duration(l.Idle), Fragments: l.Fragments,
		LoginLimits: c2s.LoginLimits{
			Tries: unlimited(c.Login.Failures), AccountTries: unlimited(c.Login.AccountFailures),
			TLSWait: time.Duration(c.Login.TLSWait), LoginWait: time.Duration(c.Login.Wait),
		},
		SessionLimits: c2s.SessionLimits{
			Unacked: l.Unacknowledged, UnackedBytes: int(l.UnacknowledgedBytes), Detached: unlimited(l.DetachedSessions),
			InactiveQueue: l.InactiveQueue, Resume: resumeTime(c.Login),
		},
	}
}

// resumeTime returns how long a session can be resumed.
func resumeTime(l config.Login) time.Duration {
	if l.Resume == 0 {
		return -1
	}
	return time.Duration(l.Resume)
}

// loginLimits returns the limits for peers that have not authenticated, clients and components.
func loginLimits(l config.Limits) stream.Limits {
	return stream.Limits{Bytes: int(l.LoginBytes), Elements: l.LoginElements, Depth: l.LoginDepth, Attrs: l.LoginAttributes}
}

// componentLimits returns the limits of components. Depth and attributes of stanzas are those of clients.
func componentLimits(c config.Config) component.Limits {
	l := c.Limits
	return component.Limits{
		BeforeLogin: loginLimits(l),
		Stanza:      stream.Limits{Bytes: int(l.ComponentBytes), Elements: l.ComponentElements, Depth: l.StanzaDepth, Attrs: l.StanzaAttributes},
		Connections: unlimited(l.Connections), Arrivals: unlimited(l.NewConnections),
		Tries: unlimited(c.Login.Failures), DomainTries: unlimited(c.Login.AccountFailures),
		Rate: unlimited(int(l.ComponentRate)), Queue: int(l.ComponentQueue), Wait: time.Duration(c.Login.Wait), Idle: time.Duration(l.Idle),
	}
}

// recordLimits returns the limits of what is recorded of clients.
func recordLimits(c config.Config) authentication.Limits {
	return authentication.Limits{Clients: c.Limits.Clients, Keep: time.Duration(c.Login.ClientsKept)}
}

// registrationLimits returns the limits of accounts that clients register.
func registrationLimits(l config.Limits) peerlimit.QuotaLimits {
	return peerlimit.QuotaLimits{Accounts: l.Registrations, Names: l.RegistrationNames, Time: time.Duration(l.RegistrationTime)}
}

// secretSize is the length of a generated secret, in bytes.
const secretSize = 32

// loadOrCreateSecret reads a random secret from a file, or creates it.
func loadOrCreateSecret(file string) ([]byte, error) {
	secret, err := keyfile.Read(file)
	switch {
	case err == nil && len(secret) == secretSize:
		return secret, nil
	case err == nil:
		return nil, fmt.Errorf("%s has %d bytes instead of %d: restore it from a backup, or delete it to have a new one created", file, len(secret), secretSize)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	secret = make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails
	return secret, keyfile.Write(file, secret, keyfile.Private)
}

// certificateCheckEvery is how often the certificate file is checked for a new one.
const certificateCheckEvery = time.Minute

// Certificate loads the configured certificate, and loads it again after the file has changed.
func Certificate(c config.TLS, log *slog.Logger) (socket.Certificates, error) {
	file, key := c.Certificate, c.Key
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate: %w", err)
	}
	var mu sync.Mutex
	looked, changed := time.Now(), modified(file)
	return func(string) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(looked) > certificateCheckEvery {
			looked = time.Now()
			if now := modified(file); !now.Equal(changed) {
				fresh, err := tls.LoadX509KeyPair(file, key)
				if err != nil {
					log.Error("new certificate not usable, the old one stays in use", "err", err)
				} else {
					pair, changed = fresh, now
					log.Info("new certificate", "file", file)
				}
			}
		}
		current := pair
		return &current, nil
	}, nil
}

func modified(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
