package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// Retention is how long archives are kept by the configuration.
type Retention struct {
	all   time.Duration
	hosts map[string]time.Duration
}

// NewRetention returns what a configuration says.
func NewRetention(c config.Config) *Retention {
	forever := func(d config.Duration) time.Duration {
		if d <= 0 {
			return archive.Forever
		}
		return time.Duration(d)
	}
	r := &Retention{all: forever(c.Server.Archive), hosts: map[string]time.Duration{}}
	for _, own := range c.Retention {
		if host, err := jid.Parse(own.Host); err == nil {
			r.hosts[host.Domain()] = forever(own.Archive)
		}
	}
	return r
}

// Of is how long the archive of an account is kept where nothing else is set for it.
func (r *Retention) Of(account jid.JID) time.Duration {
	if d, ok := r.hosts[account.Domain()]; ok {
		return d
	}
	return r.all
}

// Equal reports whether both are the same.
func (r *Retention) Equal(o *Retention) bool {
	if r.all != o.all || len(r.hosts) != len(o.hosts) {
		return false
	}
	for host, d := range r.hosts {
		if other, ok := o.hosts[host]; !ok || other != d {
			return false
		}
	}
	return true
}

// Longest is the longest time of all hosts, also of those that are not served any more.
func (r *Retention) Longest() time.Duration {
	most := r.all
	for _, d := range r.hosts {
		most = max(most, d)
	}
	return most
}

// SetRetention sets how long the archive of an account is kept in place of what the configuration says: a number of days, "forever", or
// "default" for nothing else than that.
func (a *Accounts) SetRetention(ctx context.Context, name, days string) (string, error) {
	keep := time.Duration(0)
	switch days {
	case "default":
	case "forever":
		keep = archive.Forever
	default:
		var err error
		if keep, err = archive.ParseDays(days); err != nil {
			return "", fmt.Errorf("%s: %w, or forever, or default", days, err)
		}
	}
	return a.change(name, func(account jid.JID) error {
		if _, err := a.store.Account(ctx, account); err != nil {
			return err
		}
		return retention.New(a.store).SetGrantedRetention(ctx, account, keep)
	})
}

// retentionText describes how long the archive of an account is kept.
func (a *Accounts) retentionText(ctx context.Context, account jid.JID) (string, error) {
	r, err := retention.New(a.store).Retention(ctx, account)
	return archive.RetentionText(r.Keep(NewRetention(a.config).Of(account))), err
}
