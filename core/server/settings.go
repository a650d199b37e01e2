package server

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stream"
)

// unlimited makes a setting's "0: no limit" what the packages call it.
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
		Tries:   unlimited(c.Login.Failures),
		TLSWait: time.Duration(c.Login.TLSWait), LoginWait: time.Duration(c.Login.Wait), Idle: time.Duration(l.Idle),
	}
}

// loginLimits are those of peers that have not authenticated, client or component.
func loginLimits(l config.Limits) stream.Limits {
	return stream.Limits{Bytes: int(l.LoginBytes), Elements: l.LoginElements, Depth: l.LoginDepth, Attrs: l.LoginAttributes}
}

// componentLimits are those of a component's stanzas, which nest as those of clients do.
func componentLimits(l config.Limits) stream.Limits {
	return stream.Limits{Bytes: int(l.ComponentBytes), Elements: l.ComponentElements, Depth: l.StanzaDepth, Attrs: l.StanzaAttributes}
}

// secretSize is the length of a secret of our own, in bytes.
const secretSize = 32

// keptSecret reads a random secret, or makes it where there is none yet.
func keptSecret(file string) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err == nil && len(secret) == secretSize {
		return secret, nil
	}
	if err == nil {
		return nil, fmt.Errorf("%s: %d bytes instead of %d: take the file away, and a new one is made", file, len(secret), secretSize)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	secret = make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails
	return secret, os.WriteFile(file, secret, 0o600)
}

// recheck is how often the certificate's file is looked at for a new one.
const recheck = time.Minute

// configuredCertificate reads the certificate, and reads it again when its file has changed, as
// programs that renew certificates do.
func (s *Server) configuredCertificate() (socket.Certificates, error) {
	file, key := s.config.TLS.Certificate, s.config.TLS.Key
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate: %w", err)
	}
	var mu sync.Mutex
	looked, changed := time.Now(), modified(file)
	return func(string) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(looked) > recheck {
			looked = time.Now()
			if now := modified(file); !now.Equal(changed) {
				fresh, err := tls.LoadX509KeyPair(file, key)
				if err != nil {
					s.log.Error("the new certificate cannot be used; the old one stays", "err", err)
				} else {
					pair, changed = fresh, now
					s.log.Info("new certificate", "file", file)
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
