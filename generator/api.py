"""The public API: profiles and facts in, Plans, files and findings out.

    from generator.api import load_catalogue, load_profile, load_target, resolve

    plan = resolve(load_profile("xeon-cpu"), load_catalogue(), source="xeon-cpu")
    files = load_target("systemd").render(plan)

What stands here stays by its name; everything else may move. It is a module of its own, because
`generator` has rooms by the names of its verbs: `generator.resolve` is the room, `api.resolve` the
function.
"""

from generator.advise.advise import Advised as Advised
from generator.advise.advise import advise as advise
from generator.bench.measure import Load as Load
from generator.bench.measure import measure as measure
from generator.bench.measurement import Measurement as Measurement
from generator.bench.measurement import Workload as Workload
from generator.bench.remembered import remembered as remembered
from generator.bench.remembered import remembered_beside as remembered_beside
from generator.catalogue.catalogue import Catalogue as Catalogue
from generator.catalogue.catalogue import load_catalogue as load_catalogue
from generator.catalogue.facts import Facts as Facts
from generator.check.gather import CheckRequest as CheckRequest
from generator.check.gather import check as check
from generator.check.report import Report as Report
from generator.detect.detect import Detection as Detection
from generator.detect.detect import detect as detect
from generator.detect.facter import read_facter as read_facter
from generator.detect.machine import read_machine as read_machine
from generator.detect.root import open_root as open_root
from generator.difference.installed import Installed as Installed
from generator.difference.installed import against_installed as against_installed
from generator.difference.plans import Difference as Difference
from generator.difference.plans import compared as compared
from generator.difference.upgrade import Upgrade as Upgrade
from generator.difference.upgrade import upgraded as upgraded
from generator.doctor.doctor import Diagnosis as Diagnosis
from generator.doctor.doctor import doctor as doctor
from generator.engines import load_engine as load_engine
from generator.errors import Finding as Finding
from generator.errors import HostwrightError as HostwrightError
from generator.errors import Problem as Problem
from generator.errors import ProfileError as ProfileError
from generator.explain.lookup import explain as explain
from generator.fit.assess import Assessment as Assessment
from generator.fit.assess import Question as Question
from generator.fit.assess import assess as assess
from generator.fit.measured import Measured as Measured
from generator.fleet.decide import decide_fleet as decide_fleet
from generator.fleet.render import render_fleet as render_fleet
from generator.importing.importing import Imported as Imported
from generator.importing.importing import ImportRequest as ImportRequest
from generator.importing.importing import imported as imported
from generator.live.client import Server as Server
from generator.pipeline import plan_of as plan_of
from generator.plan import Plan as Plan
from generator.profiles.document import Document as Document
from generator.profiles.load import load_profile as load_profile
from generator.profiles.load import read_document as read_document
from generator.profiles.schema import Profile as Profile
from generator.resolve import resolve as resolve
from generator.targets import TARGETS as TARGETS
from generator.targets import load_target as load_target
from generator.targets.base import File as File
from generator.trial.ab import Trial as Trial
from generator.trial.ab import trial as trial
from generator.trial.choice import Choice as Choice
from generator.trial.choice import choices as choices
from generator.trial.find import restarter as restarter
from generator.trial.knob import KNOBS as KNOBS
from generator.trial.search import budget_of as budget_of
from generator.trial.tune import Tuned as Tuned
from generator.trial.tune import tune as tune
from generator.trial.visit import Visits as Visits
from generator.verify.compare import Comparison as Comparison
from generator.verify.verify import verify as verify
from generator.view import View as View
from generator.warmup.warmed import Warmed as Warmed
from generator.warmup.warmup import warm_up as warm_up
