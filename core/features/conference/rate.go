package conference

import (
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// rate says how much of the permitted messages an occupant has used.
type rate struct {
	used float64
	at   time.Time
}

// countMessage counts a message of an occupant, to all or to one, or an invitation or registration, which others get as a message. The
// error is for one too many.
func (o *owner) countMessage(id string) error {
	if o.mayWrite(id, time.Now()) {
		return nil
	}
	o.service.Counters.Rate.Add(1)
	e := stanza.PolicyViolation("You write too much. Please wait a little.")
	e.Type = "wait"
	return e
}

// mayWrite reports whether an occupant may write a message now, and counts it.
func (o *owner) mayWrite(id string, now time.Time) bool {
	perMinute := float64(o.service.settings.Load().Messages)
	if perMinute == 0 {
		return true
	}
	o.forgetRates(now)
	u := o.rates[id]
	u.used = max(0, u.used-now.Sub(u.at).Minutes()*perMinute)
	u.at = now
	ok := u.used+1 <= max(1, perMinute/3)
	if ok {
		u.used++
	}
	o.rates[id] = u
	return ok
}

// manyRates is the number of occupants below which none is forgotten.
const manyRates = 100

// forgetRates forgets occupants that have not written for a minute, who may write all that is permitted. Others that have left are
// remembered: who enters again must not have more messages for that.
func (o *owner) forgetRates(now time.Time) {
	if len(o.rates) < manyRates || now.Sub(o.ratesPruned) < time.Minute {
		return
	}
	o.ratesPruned = now
	for id, u := range o.rates {
		if now.Sub(u.at) > time.Minute {
			delete(o.rates, id)
		}
	}
}
