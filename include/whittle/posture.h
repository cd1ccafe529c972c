/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * posture: the judgement of an estate by a list of assessments. Assessments are data (rules/assessments/): each evaluates every
 * resource that it applies to, by a condition in Azure Policy's language, by a check of ours for what such a condition can't see
 * (reachability, traffic, alerts), or by a question to a person. Verdicts are grouped into controls of a standard
 * (rules/standards/) and into a score (rules/score.yaml).
 *
 *   inventory, reach, ledger, alerts ── assessments ──→ verdicts ── exemptions, answers ──→ states of controls · score
 *
 * A check of traffic that saw none of its kind has no evidence, nor has one whose sensor lost packets: it is not healthy.
 */
#pragma once
#include <jansson.h>
#include "whittle/alert.h"
#include "whittle/assess.h"
#include "whittle/host_facts.h"
#include "whittle/reach.h"

/* ---- the pack ---- */
struct wh_check;
struct wh_yaml;
struct wh_assessment {
	const char *key;                   /* Defender's key, or a name of ours: "ns-8-tls" */
	const char *policy;                /* the GUID of the equivalent policy definition; NULL: none */
	const char *name, *why, *fix;      /* its display name; why it matters; what to do. In sentences */
	const char *cause;                 /* the fault of a failing resource; NULL: the check has its own text */
	enum wh_severity severity;
	const char **controls; size_t n_controls; /* "NS-1" */
	const char *score;                 /* the id of its control in the score; NULL: it does not count there */
	bool preview;                      /* shown, but it counts in no state and no score */
	const char **types; size_t n_types; /* of resources, where it asks by a condition */
	const struct wh_definition *applies; /* true: the assessment applies to the resource; NULL: always */
	const struct wh_definition *definition; /* true: Unhealthy; NULL: it has no condition */
	const struct wh_check *check;      /* NULL: it has no check */
	const struct wh_yaml *with;        /* the check's settings; NULL: none */
	const char *question;              /* to a person; NULL: it is computed */
	const char *file; int line;
};
/* by file, then in the order of the file; owned: conditions */
struct wh_pack { struct wh_assessment *list; size_t n; json_t *owned; };
/* Reads every .yaml file of a directory. Unknown keys, checks and words of conditions are refused with file and line. Call
 * wh_pack_free(), also after an error. */
int wh_pack_load(const char *directory, struct wh_arena *mem, struct wh_pack *out, struct wh_error *err);
void wh_pack_free(struct wh_pack *p);
/* Whether a condition has this word somewhere, ignoring case: whether what it names must be read. */
bool wh_pack_mentions(const struct wh_pack *p, const char *word);
/* Whether this is its key, policy GUID or name, ignoring case. */
bool wh_assessment_is(const struct wh_assessment *a, const char *what);
/* The one with this key, GUID or name; NULL: none. */
const struct wh_assessment *wh_pack_find(const struct wh_pack *p, const char *what);

/* ---- a run ---- */
enum wh_posture_status { WH_POSTURE_HEALTHY, WH_POSTURE_UNHEALTHY, WH_POSTURE_NOT_APPLICABLE, WH_POSTURE_NO_EVIDENCE };
const char *wh_posture_text(enum wh_posture_status s); /* "Healthy", "Unhealthy", "NotApplicable", "NoEvidence" */
int wh_posture_parse(const char *text, enum wh_posture_status *out); /* whatever the case; 0 or -EINVAL */
struct wh_posture_verdict {
	const struct wh_assessment *of;
	const char *resource, *type;       /* its id, or the name of a host without one */
	enum wh_posture_status status;
	const char *cause;                 /* a sentence; NULL: nothing to say */
	const char *exempt;                /* the exemption's reason, with owner and end; NULL: none */
};
/* The input of a run. Borrowed; a NULL member is not known, and checks that need it have no evidence. */
struct wh_posture_input {
	struct wh_topology *topology;
	struct wh_reach *reach;
	const struct wh_assets *assets;
	const struct wh_ledger *ledger;          /* NULL: no traffic */
	const struct wh_estate *estate;          /* with the ledger */
	const struct wh_recommendation *rec;     /* NULL: none was calculated */
	const json_t *alerts;                    /* documents, newest first; NULL */
	const struct wh_intel_list *lists; size_t n_lists;
	const struct wh_host_facts *hosts; size_t n_hosts; /* facts that Linux hosts report about themselves */
	const json_t *exemptions, *answers;      /* wh_exemptions_list(), wh_answers_list(); NULL */
	/* resources whose management ports whittle itself keeps closed until requested */
	const char *jit[64]; size_t n_jit;
	int64_t now_us;
};
struct wh_posture {
	const struct wh_pack *pack;
	struct wh_posture_verdict *list; size_t n, room; /* by assessment in the order of the pack, then by resource */
	struct wh_arena *mem;
};
/* Every assessment on every resource that it applies to. In `mem`. */
int wh_posture_run(const struct wh_pack *pack, const struct wh_posture_input *in, struct wh_arena *mem, struct wh_posture *out,
                   struct wh_error *err);
/* The verdicts of one assessment, as [*from, the returned end) of p->list. */
size_t wh_posture_of(const struct wh_posture *p, const struct wh_assessment *a, size_t *from);
/* The last part of an id, or a set's instance ("ss/virtualMachines/0"), within `id`. */
const char *wh_posture_name(const char *id);

/* ---- people's decisions; documents of the state ---- */
struct wh_exemption {
	const char *assessment, *resource; /* a key; an id, NULL: every resource */
	const char *owner, *reason;        /* never empty */
	int64_t expires_us;                /* past: it holds no longer */
};
int wh_exemption_put(struct wh_state *s, const struct wh_exemption *e, const char *who, struct wh_error *err);
/* -ENOENT */
int wh_exemption_delete(struct wh_state *s, const char *assessment, const char *resource, const char *who, struct wh_error *err);
/* [{"assessment", "resource", "owner", "reason", "expires", "by"}…]; a new reference */
int wh_exemptions_list(struct wh_state *s, json_t **out, struct wh_error *err);
struct wh_answer_given {
	const char *assessment;            /* the key of an assessment with a question */
	enum wh_posture_status status;     /* all but WH_POSTURE_NO_EVIDENCE */
	const char *owner, *answer;        /* never empty */
	const char *evidence, *sha256;     /* its evidence, a text or a file's name; and that file's hash; NULL: none */
	int64_t expires_us;                /* past: the question is open again */
};
int wh_answer_put(struct wh_state *s, const struct wh_answer_given *a, const char *who, struct wh_error *err);
int wh_answer_delete(struct wh_state *s, const char *assessment, const char *who, struct wh_error *err); /* -ENOENT */
/* [{"assessment", "status", "owner", "answer", "evidence", "sha256", "expires", "by", "at"}…] */
int wh_answers_list(struct wh_state *s, json_t **out, struct wh_error *err);

/* ---- states ---- An assessment passes if all its resources do, fails if one fails, is skipped if all are
 * exempted, and is unsupported if nothing could be judged. A control likewise by its assessments, previews left
 * out. */
enum wh_posture_state { WH_STATE_PASSED, WH_STATE_FAILED, WH_STATE_SKIPPED, WH_STATE_UNSUPPORTED };
const char *wh_posture_state_text(enum wh_posture_state s); /* "Passed", "Failed", "Skipped", "Unsupported" */
struct wh_posture_counts { size_t healthy, unhealthy, not_applicable, no_evidence, exempt; };
/* Counts one verdict. An exempted one counts as exempt, unless it does not apply. */
void wh_posture_count_verdict(struct wh_posture_counts *c, const struct wh_posture_verdict *v);
struct wh_posture_counts wh_posture_count(const struct wh_posture *p, const struct wh_assessment *a);
enum wh_posture_state wh_posture_state_of(const struct wh_posture_counts *c);
/* The state of a whole, from the number of its parts in each state. */
enum wh_posture_state wh_posture_state_of_parts(const size_t n[4]);

struct wh_standard_control {
	const char *id, *name, *question;  /* question: what the data can't answer; NULL */
	const char *of;                    /* for a sub-control: its control, the only one that counts; NULL */
	/* the benchmark's controls whose assessments it has: itself, or those that a framework's control maps to */
	const char **benchmark; size_t n_benchmark;
	const char **only; size_t n_only;  /* keys, for a sub-control; 0: all of them */
};
struct wh_standard {
	const char *id, *name, *version, *file;
	bool preview;
	struct wh_standard_control *controls; size_t n;
};
/* Reads rules/standards/ID.yaml. */
int wh_standard_load(const char *path, struct wh_arena *mem, struct wh_standard *out, struct wh_error *err);
bool wh_standard_has(const struct wh_standard_control *c, const struct wh_assessment *a);
enum wh_posture_state wh_standard_state(const struct wh_posture *p, const struct wh_standard_control *c);

/* ---- the secure score ---- Of each control of a subscription: max × healthy / (healthy + unhealthy) resources, where a
 * resource is healthy if it is so in all assessments of that control. Of a subscription: the sum of these over the sum of
 * their maxima, without the controls that have no resource. Of several: weighted by their resources. Source: Microsoft's
 * documentation of the secure score ("How your secure score is calculated"); 4 healthy of 78 and a maximum of 6 are
 * 0.31. */
struct wh_score_control { const char *id, *name; double max; };
struct wh_score_controls { struct wh_score_control *list; size_t n; };
int wh_score_controls_load(const char *path, struct wh_arena *mem, struct wh_score_controls *out, struct wh_error *err);
struct wh_score_part { const struct wh_score_control *of; size_t healthy, unhealthy; double current; };
/* parts: one a control */
struct wh_score_subscription { const char *id; struct wh_score_part *parts; size_t weight; double current, max; };
struct wh_score { struct wh_score_subscription *list; size_t n; double share; /* 0–1; negative: nothing to judge */ };
double wh_score_of(double max, size_t healthy, size_t unhealthy);
void wh_score_run(const struct wh_posture *p, const struct wh_score_controls *c, struct wh_arena *mem, struct wh_score *out);
/* One point of the score's history a day, the last of the day; kept for 400 days. `day` "2026-11-29". */
int wh_score_keep(struct wh_state *s, const char *day, const json_t *point, struct wh_error *err);
int wh_score_history(struct wh_state *s, json_t **out, struct wh_error *err); /* [point…], oldest first; a new reference */
