package conference

import "time"

// rate says how much of the permitted messages an occupant has used.
type rate struct {
	used float64
	at   time.Time
}

// mayWrite reports whether an occupant may write a message now, and counts it.
func (o *owner) mayWrite(id string, now time.Time) bool {
	perMinute := float64(o.service.settings.Load().Messages)
	if perMinute == 0 {
		return true
	}
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
	if len(o.rates) < manyRates {
		return
	}
	for id, u := range o.rates {
		if now.Sub(u.at) > time.Minute {
			delete(o.rates, id)
		}
	}
}
