//go:build race

package featuretest

// raceDetector tells that pools give back only some of what they are given, so that
// allocations are not what they are.
const raceDetector = true
