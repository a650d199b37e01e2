// Package invite lets accounts invite others by ad-hoc commands (XEP-0401), and accepts the subscription requests of those who come with
// a token (XEP-0379). Package register lets them register with it (XEP-0445).
// Page serves the landing pages, which show an invitation to whoever opens its address in a browser.
// There is no lock and no goroutine.
//
// Specifications: XEP-0401, XEP-0379.
package invite
